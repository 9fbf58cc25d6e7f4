import { element } from './dom.js';

/** A chosen file with the line that shows it. */
export class ChosenFile {
  /** The payment for it, once it is made. */
  payment;
  /** Whether it is being paid, sent or analysed. */
  busy = false;
  #removed = new AbortController();
  #progress;
  #state = element('span', { class: 'state' });

  constructor(file, onRemove) {
    this.file = file;
    this.#progress = element('progress', {
      max: '1',
      value: '0',
      'aria-label': `Progress of ${file.name}`,
      hidden: true,
    });
    this.line = element(
      'li',
      {},
      element('span', { class: 'name' }, file.name),
      element('span', { class: 'faint' }, size(file.size)),
      this.#progress,
      element(
        'button',
        {
          type: 'button',
          'aria-label': `Remove ${file.name}`,
          click: () => {
            this.remove();
            onRemove(this);
          },
        },
        'Remove',
      ),
      this.#state,
    );
  }

  /** Aborted once nobody wants it any more. */
  get removed() {
    return this.#removed.signal;
  }

  remove() {
    this.#removed.abort();
    this.line.remove();
  }

  /** Shows how far it is, from 0 to 1; nothing for what takes as long as it takes; null for nothing. */
  progress(part) {
    this.#progress.hidden = part === null;
    if (part === undefined) this.#progress.removeAttribute('value');
    else this.#progress.value = part ?? 0;
  }

  says(...what) {
    this.#state.className = 'state';
    this.#state.removeAttribute('role');
    this.#state.replaceChildren(...what);
  }

  fails(message) {
    this.progress(null);
    this.#state.className = 'state error';
    this.#state.setAttribute('role', 'alert');
    this.#state.replaceChildren(message);
  }
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
