/** The id of what Stripe answers as an id, or whole where it was expanded. */
export const idOf = (given: string | { readonly id?: string } | null | undefined): string | undefined =>
  typeof given === 'string' ? given : given?.id;
