import 'reflect-metadata';
import { Arg, Args, ArgsType, Ctx, Field, ID, InterfaceType, Query, Resolver } from 'type-graphql';
import { Range, Sized } from '../cost/directives.js';
import type { RequestContext } from './context.js';
import { Access, MEMBERS } from './access.js';
import type { IdType } from './ids.js';
import { parseId } from './ids.js';
import { Metered } from './metering.js';

@InterfaceType({
  description:
    'An object with a globally unique id, which `node` and `nodes` look up (Relay’s Global Object Identification).',
})
export abstract class Node {
  @Field(() => ID, {
    description: 'Globally unique id. Its prefix names the type, e.g. `key_` or `pat_`; the rest is opaque.',
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

@ArgsType()
class NodesArgs {
  @Range(0, MAX_IDS)
  @Field(() => [ID], { description: `At most ${MAX_IDS} ids with their prefixes, e.g. \`key_…\`.` })
  ids!: string[];
}

@Resolver()
export class NodeResolver {
  constructor(private readonly finders: NodeFinders) {}

  @Metered('by id')
  @Access({ scope: 'read', roles: MEMBERS })
  @Query(() => Node, {
    nullable: true,
    description:
      'Looks up one object by its id. Null if it does not exist or you may not see it. Reading a pattern counts as a use of it, as with `pattern`; everything else is free.',
  })
  async node(
    @Ctx() context: RequestContext,
    @Arg('id', () => ID, { description: 'Id with its prefix, e.g. `key_…`.' }) id: string,
  ): Promise<Node | null> {
    const [found] = await this.#find([id], context);
    return found ?? null;
  }

  @Metered('by id')
  @Access({ scope: 'read', roles: MEMBERS })
  @Sized({ slicingArguments: ['ids'] })
  @Query(() => [Node], {
    nullable: 'itemsAndList',
    description:
      'Looks up objects by their ids, in the order of the ids. Null in place of each one that does not exist or that you may not see. Takes a request from the plan if one of the ids is a pattern’s, otherwise free.',
  })
  async nodes(
    @Ctx() context: RequestContext,
    @Args(() => NodesArgs) { ids }: NodesArgs,
  ): Promise<(Node | null)[]> {
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
