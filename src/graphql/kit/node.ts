import 'reflect-metadata';
import { Arg, Ctx, Field, ID, InterfaceType, Query, Resolver } from 'type-graphql';
import { Sized } from '../cost/directives.js';
import type { RequestContext } from './context.js';
import { Access, MEMBERS } from './access.js';
import { invalidInput } from './errors.js';
import type { IdType } from './ids.js';
import { parseId } from './ids.js';
import { Metered } from './metering.js';

@InterfaceType({
  description:
    'An object that `node` and `nodes` find again by its id (Relay’s Global Object Identification).',
})
export abstract class Node {
  @Field(() => ID, {
    description:
      'Unique among all objects. Its prefix names the type, e.g. `key_` or `pat_`; the rest is opaque.',
  })
  id!: string;
}

/**
 * Finds objects of one type by their ids, without prefixes: those that the caller may see, in whatever order.
 */
export type FindNodes = (ids: readonly string[], context: RequestContext) => Promise<readonly Node[]>;

/** One for each type that implements `Node`. */
export type NodeFinders = Readonly<Partial<Record<IdType, FindNodes>>>;

/** Ids of one call. */
const MAX_IDS = 100;
/** Characters; longer than any id of ours. */
const MAX_ID = 100;

@Resolver()
export class NodeResolver {
  constructor(private readonly finders: NodeFinders) {}

  @Metered('by id')
  @Access({ scope: 'read', roles: MEMBERS })
  @Query(() => Node, {
    nullable: true,
    description:
      'One object by its id, or null if there is none that you may see. Reading a pattern is a use of it, as with `pattern`; everything else is guarded and spends nothing.',
  })
  async node(
    @Ctx() context: RequestContext,
    @Arg('id', () => ID, { description: 'The id, with its prefix.' }) id: string,
  ): Promise<Node | null> {
    const [found] = await this.#find([id], context);
    return found ?? null;
  }

  @Metered('by id')
  @Access({ scope: 'read', roles: MEMBERS })
  @Sized({ assumedSize: MAX_IDS })
  @Query(() => [Node], {
    nullable: 'itemsAndList',
    description:
      'Objects by their ids, in the order of the ids; null in the place of each that there is not, or that you may not see. With the id of a pattern among them it is a governed call, else guarded.',
  })
  async nodes(
    @Ctx() context: RequestContext,
    @Arg('ids', () => [ID], { description: `At most ${MAX_IDS} ids, with their prefixes.` }) ids: string[],
  ): Promise<(Node | null)[]> {
    if (ids.length > MAX_IDS) throw invalidInput('ids', `"ids" can have at most ${MAX_IDS} entries.`);
    return this.#find(ids, context);
  }

  /** One look for each type. */
  async #find(shown: readonly string[], context: RequestContext): Promise<(Node | null)[]> {
    const parsed = shown.map((id) => (id.length > MAX_ID ? undefined : parseId(id)));
    const wanted = new Map<IdType, Set<string>>();
    for (const one of parsed) {
      if (one) wanted.set(one.type, (wanted.get(one.type) ?? new Set()).add(one.id));
    }
    const found = new Map<string, Node>();
    await Promise.all(
      [...wanted].map(async ([type, ids]) => {
        const nodes = (await this.finders[type]?.([...ids], context)) ?? [];
        for (const node of nodes) found.set(`${type}:${node.id}`, node);
      }),
    );
    return parsed.map((one) => (one && found.get(`${one.type}:${one.id}`)) ?? null);
  }
}
