import type { FragmentDefinitionNode, SelectionSetNode, ValidationContext } from 'graphql';
import { Kind } from 'graphql';

/** @returns a fragment that spreads itself, directly or by others, if there is one */
export function fragmentInCircle(
  context: ValidationContext,
  fragments: readonly FragmentDefinitionNode[],
): FragmentDefinitionNode | undefined {
  const done = new Set<string>();
  const above = new Set<string>();
  const circleFrom = (fragment: FragmentDefinitionNode): FragmentDefinitionNode | undefined => {
    const name = fragment.name.value;
    if (above.has(name)) return fragment;
    if (done.has(name)) return undefined;
    above.add(name);
    for (const spread of spreadsOf(fragment.selectionSet)) {
      const next = context.getFragment(spread);
      const circle = next && circleFrom(next);
      if (circle) return circle;
    }
    above.delete(name);
    done.add(name);
    return undefined;
  };
  for (const fragment of fragments) {
    const circle = circleFrom(fragment);
    if (circle) return circle;
  }
  return undefined;
}

/** The names of the fragments that it spreads, at whatever depth. */
function spreadsOf(selectionSet: SelectionSetNode, names = new Set<string>()): ReadonlySet<string> {
  for (const selection of selectionSet.selections) {
    if (selection.kind === Kind.FRAGMENT_SPREAD) names.add(selection.name.value);
    else if (selection.selectionSet) spreadsOf(selection.selectionSet, names);
  }
  return names;
}
