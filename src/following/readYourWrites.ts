import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { START } from '../eventsourcing/event.js';
import type { ReadModels } from './readModel.js';

/** How long an answer is held back, in milliseconds: what was done is done, shown or not. */
const WAIT_MS = 3_000;

/**
 * Lets whoever has changed something read it back: waits until read models show what the commands of this
 * process have appended. Other processes may show it a moment later.
 */
export class ReadYourWrites {
  #written: Position = START;
  /** Where models stood that did not get there in time: they are not waited for again until they move. */
  readonly #stuck = new Map<string, Position>();

  constructor(
    private readonly models: Pick<ReadModels, 'reached' | 'states'>,
    private readonly names: readonly string[],
    private readonly waitMs = WAIT_MS,
  ) {}

  /** Takes note of what a command has appended. */
  readonly appended = (events: readonly StoredEvent[]): void => {
    for (const { position } of events) this.#written = Math.max(this.#written, position);
  };

  /** Position of the newest event that a command of this process has appended. */
  get written(): Position {
    return this.#written;
  }

  async wait(): Promise<void> {
    const position = this.#written;
    await Promise.all(this.names.map((name) => this.#waitFor(name, position)));
  }

  async #waitFor(name: string, position: Position): Promise<void> {
    const checkpoint = this.#checkpoint(name);
    if (checkpoint >= position || this.#stuck.get(name) === checkpoint) return;
    if (await this.models.reached(name, position, this.waitMs)) this.#stuck.delete(name);
    else this.#stuck.set(name, this.#checkpoint(name));
  }

  #checkpoint(name: string): Position {
    return this.models.states().find(({ model }) => model === name)?.checkpoint ?? START;
  }
}
