import type { Position, StoredEvent } from '../eventsourcing/event.js';
import type { Statement } from '../sql/sql.js';

/** Names of the tables of one generation, by their short names: `t('patterns')`. */
export type Tables = (table: string) => string;

/**
 * A read model: tables, and the fold that fills them. It owns its tables alone, so that it can be
 * dropped and rebuilt. The fold is pure: no clock, no sequence, no random, nothing but the events.
 * Events of different streams may be folded in any order, since a parked stream catches up later.
 */
export interface ReadModel {
  readonly name: string;
  /** Raised when tables or fold change; the new version is then built beside the old one. */
  readonly version: number;
  readonly tables: readonly string[];
  /** DDL for one generation: its tables, with what the fold itself needs to find rows. */
  create(t: Tables): string;
  /** Indexes that only queries use: made after the load of a whole history. */
  indexes?(t: Tables): readonly string[];
  /**
   * Whether events of one stream may be folded in any order too, so that one that cannot be handled is parked
   * alone and the later ones of its stream flow.
   */
  readonly independent?: boolean;
  /** Event types that can change it. */
  readonly handles: ReadonlySet<string>;
  /** False where it shows what calls do or nothing that mutations change: they do not wait for it then. */
  readonly awaited?: boolean;
  /** Statements that apply the events, in order. Given only events of the types above. */
  fold(events: readonly StoredEvent[], t: Tables): readonly Statement[];
}

/** Where a read model stands. */
export interface ReadModelState {
  readonly model: string;
  readonly version: number;
  readonly generation: number;
  /** The last event seen, matching or not. */
  readonly checkpoint: Position;
  /** The last event that changed it: answers are cached by this. */
  readonly changed: Position;
  /** How often parked events were applied late: rows change by that, and no position tells. */
  readonly replays: number;
}

/** What queries of a read model are given. */
export interface ReadModelAccess {
  readonly t: Tables;
  state(): ReadModelState;
}

/** The read models as whoever asks them sees them, whether this process writes them or another. */
export interface ReadModels {
  /** @throws Error when there is no such model */
  access(name: string): ReadModelAccess;
  states(): ReadModelState[];
  /** The models that do not get on, with the reason. */
  failures(): { model: string; error: unknown }[];
  /**
   * Waits until a model has seen `position`, over restarts, rebuilds and a change of the writer.
   * @returns false when it did not get there within `timeoutMs`
   */
  reached(name: string, position: Position, timeoutMs: number): Promise<boolean>;
  allReached(position: Position, timeoutMs: number): Promise<boolean>;
  /** Calls back after each change of a model's rows. */
  onChanged(name: string, listener: () => void): void;
}

/** The position from which everything is still to come that any of the read models has not seen. */
export function furthestBehind(models: Pick<ReadModels, 'states'>): Position {
  return Math.min(...models.states().map(({ checkpoint }) => checkpoint));
}

export function tableNames(model: ReadModel, generation: number): Tables {
  return (table) => {
    if (!model.tables.includes(table)) throw new Error(`${model.name} has no table ${table}`);
    return `read.${model.name}_v${model.version}_g${generation}_${table}`;
  };
}

/** The name of a generation as one whose events may be parked. */
export function readerOf(model: string, version: number, generation: number): string {
  return `${model}_v${version}_g${generation}`;
}
