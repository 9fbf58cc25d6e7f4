import type { SelectionSetNode, ValidationContext } from 'graphql';
import { Kind } from 'graphql';

/**
 * Counts what graphql-js has to compare in order to say that an operation's fields can be merged: of fields
 * that stand under one name in one place, each with each. Four hundred times the same field are few bytes and
 * eighty thousand comparisons.
 */
export class Comparisons {
  constructor(
    private readonly context: ValidationContext,
    /** Fields looked at, and pairs of them. */
    private left: number,
  ) {}

  /**
   * @param selectionSet of an operation that is not deeper than it may be, without fragments in a circle
   * @returns whether there are as few as allowed, with those of the operations before
   */
  allow(selectionSet: SelectionSetNode): boolean {
    return this.#merge([selectionSet]);
  }

  #merge(together: readonly SelectionSetNode[]): boolean {
    const fields = new Map<string, { count: number; below: SelectionSetNode[] }>();
    const spread = new Set<string>();
    const collect = ({ selections }: SelectionSetNode): boolean =>
      selections.every((selection) => {
        if (--this.left < 0) return false;
        if (selection.kind === Kind.INLINE_FRAGMENT) return collect(selection.selectionSet);
        const name = selection.name.value;
        if (selection.kind === Kind.FRAGMENT_SPREAD) {
          if (spread.has(name)) return true;
          spread.add(name);
          const fragment = this.context.getFragment(name);
          return !fragment || collect(fragment.selectionSet);
        }
        const key = selection.alias?.value ?? name;
        const same = fields.get(key) ?? { count: 0, below: [] };
        fields.set(key, same);
        this.left -= same.count++;
        if (selection.selectionSet) same.below.push(selection.selectionSet);
        return true;
      });
    if (!together.every(collect)) return false;
    return [...fields.values()].every(({ below }) => below.length === 0 || this.#merge(below));
  }
}
