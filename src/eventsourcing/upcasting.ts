/** Lifts an event's data from one schema version to the next. Pure, like a fold. */
export type Lift = (data: never) => object;

/** The lifts of each event type, in order: the first lifts version 1 to 2, the next 2 to 3. */
export type Upcasters = ReadonlyMap<string, readonly Lift[]>;

/**
 * Stored events are never rewritten: where the data of an event type change, the lift from the version
 * before is added here, and that raises the version that is written.
 * test/eventsourcing/everyEventVersion.json keeps an event of each version.
 */
export const UPCASTERS: Upcasters = new Map([
  // Before keys had limits of their own.
  ['KeyIssued', [(data: object) => ({ ...data, limits: [], metadata: [] })]],
  // Before credits were bought by themselves.
  ['CreditPurchaseRequested', [(data: object) => ({ ...data, automatic: null })]],
  // Before accounts had rules of their own, and paid with credits.
  ['AnalysisRequested', [(data: object) => ({ ...data, credits: null, ruleSet: null })]],
  ['AnalysisCompleted', [(data: object) => ({ ...data, rulesVersion: null })]],
  // Before uses left out what says nothing (src/usage/journal/useJson.ts): what says all of it is read as it is. An older
  // program would take those for uses that cannot be counted.
  ['UsesRecorded', [(data: object) => data]],
  ['UsesCorrected', [(data: object) => data]],
  // Before it was pinned what each price included: of what was billed the lines say it.
  [
    'PeriodClosed',
    [
      (data: { readonly lines: readonly RatedLine[] }) => ({
        ...data,
        included: data.lines.flatMap(({ terms, meter, included }) =>
          terms === null ? [] : [{ terms, meter, amount: included }],
        ),
      }),
    ],
  ],
]);

type RatedLine = {
  readonly terms: number | null;
  readonly meter: string;
  readonly included: number;
};

/** Data that a newer program has written. To guess would corrupt what is folded from it. */
export class NewerSchemaVersion extends Error {
  constructor(type: string, version: number, known: number) {
    super(
      `${type} has schema version ${version}, and this program knows it up to ${known}: a newer program has written it. Deploy that one, or a newer.`,
    );
    this.name = 'NewerSchemaVersion';
  }
}

/** The version in which data of an event type are written. */
export function schemaVersionOf(type: string, upcasters: Upcasters = UPCASTERS): number {
  return 1 + (upcasters.get(type)?.length ?? 0);
}

/**
 * Data of any stored version in the newest one.
 * @throws NewerSchemaVersion
 */
export function upcast(
  type: string,
  version: number,
  data: object,
  upcasters: Upcasters = UPCASTERS,
): object {
  if (!Number.isInteger(version) || version < 1) {
    throw new Error(`${type} has no schema version: ${version}`);
  }
  const lifts = upcasters.get(type) ?? [];
  if (version > lifts.length + 1) throw new NewerSchemaVersion(type, version, lifts.length + 1);
  return lifts.slice(version - 1).reduce((lifted, lift) => lift(lifted as never), data);
}
