interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressBar {
  readonly show: (step: string, done: number, total: number) => void;
  readonly end: () => void;
}

const WIDTH = 24;

/** A bar on a terminal; elsewhere one line for each step, when it begins. */
export function progressBar(terminal: Terminal): ProgressBar {
  let current = '';
  return {
    show: (step, done, total) => {
      if (terminal.isTTY !== true) {
        if (step !== current) terminal.write(`${step} …\n`);
        current = step;
        return;
      }
      if (current !== '' && step !== current) terminal.write('\n');
      current = step;
      const filled = total === 0 ? WIDTH : Math.round((WIDTH * done) / total);
      terminal.write(`\r${step.padEnd(22)} [${'#'.repeat(filled).padEnd(WIDTH)}] ${done}/${total}`);
    },
    end: () => {
      if (terminal.isTTY === true && current !== '') terminal.write('\n');
      current = '';
    },
  };
}
