import 'reflect-metadata';
import { Arg, Ctx, Field, ID, InterfaceType, Query, Resolver } from 'type-graphql';
import type { RequestContext } from './context.js';
import { Access } from './access.js';
import { Metered } from './metering.js';

@InterfaceType({
  description: 'What can be asked for again by its id (Relay’s Global Object Identification).',
})
export abstract class Node {
  @Field(() => ID, { description: 'Unique among all objects, whatever their type.' })
  id!: string;
}

/** Finds an object that the caller may see, of one type; undefined where there is none. */
export type FindNode = (id: string, context: RequestContext) => Promise<Node | undefined> | Node | undefined;

/** Characters; longer than any id of ours. */
const MAX_ID = 100;

@Resolver()
export class NodeResolver {
  /** @param finders one for each type that implements `Node` */
  constructor(private readonly finders: readonly FindNode[]) {}

  @Metered('governed')
  @Access({ scope: 'read' })
  @Query(() => Node, {
    nullable: true,
    description:
      'An object by its id: a pattern that the plan includes (a use of it, as with `pattern`), the account, or for a key with the scope `ADMIN` a key of it. Null for anything else, be it there or not.',
  })
  async node(
    @Ctx() context: RequestContext,
    @Arg('id', () => ID, { description: 'Id of the object, from any field `id`.' }) id: string,
  ): Promise<Node | null> {
    if (id.length > MAX_ID) return null;
    for (const find of this.finders) {
      const found = await find(id, context);
      if (found) return found;
    }
    return null;
  }
}
