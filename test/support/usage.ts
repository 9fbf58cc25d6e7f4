interface Totals {
  readonly totals: readonly { readonly meter: string; readonly quantity: string }[];
}

/** How much of a meter stands in totals; NaN where they are not there. */
export const quantityIn = (usage: Totals | null | undefined, meter = 'requests'): number =>
  Number(usage?.totals.find((total) => total.meter === meter)?.quantity ?? NaN);
