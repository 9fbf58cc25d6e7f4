interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressBar {
  /** @param detail is written behind the numbers */
  readonly show: (step: string, done: number, total: number, detail?: string) => void;
  readonly end: () => void;
}

const WIDTH = 24;

/** A bar on a terminal; elsewhere one line for each step, when it begins. */
export function progressBar(terminal: Terminal): ProgressBar {
  let current = '';
  let drawn = 0;
  return {
    show: (step, done, total, detail = '') => {
      if (terminal.isTTY !== true) {
        if (step !== current) terminal.write(`${step} …\n`);
        current = step;
        return;
      }
      if (current !== '' && step !== current) {
        terminal.write('\n');
        drawn = 0;
      }
      current = step;
      const filled = total === 0 ? WIDTH : Math.round((WIDTH * done) / total);
      const text = `${step.padEnd(22)} [${'#'.repeat(filled).padEnd(WIDTH)}] ${done}/${total}${detail}`;
      // What is shorter than the line before covers its end.
      terminal.write(`\r${text.padEnd(drawn)}`);
      drawn = text.length;
    },
    end: () => {
      if (terminal.isTTY === true && current !== '') terminal.write('\n');
      current = '';
    },
  };
}
