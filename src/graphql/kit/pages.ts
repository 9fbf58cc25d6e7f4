import 'reflect-metadata';
import type { ClassType } from 'type-graphql';
import { ArgsType, Field, Int, ObjectType } from 'type-graphql';
import { Range } from '../cost/directives.js';
import type { Cursors, Place } from './cursors.js';

const MAX_PAGE = 100;

/** Which page is asked for. A class, since type-graphql loses the directives on arguments of a field resolver. */
@ArgsType()
export class PageArgs {
  @Range(1, MAX_PAGE)
  @Field(() => Int, { defaultValue: 20, description: `Page size, 1 to ${MAX_PAGE}.` })
  first!: number;

  @Field(() => String, {
    nullable: true,
    description: 'Cursor to continue after: `endCursor` of the previous page. Omit it for the first page.',
  })
  after?: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'Position of a page within its list (Relay cursor connections).',
})
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether more entries follow this page.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, {
    description: 'Whether entries precede this page, that is, whether it was requested with `after`.',
  })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Cursor of the first entry. Null for an empty page.',
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Cursor of the last entry: pass it as `after` to get the next page. Null for an empty page.',
  })
  endCursor!: string | null;
}

export interface Page<Node> {
  readonly edges: { readonly cursor: string; readonly node: Node }[];
  readonly nodes: Node[];
  readonly pageInfo: PageInfo;
}

/** How a list and its entries are called. */
interface Names {
  /** The types `<entry>Edge` and `<list>Connection`. */
  readonly entry: string;
  readonly list?: string;
  /** One entry and several, in descriptions: `key` and `keys`. */
  readonly one: string;
  readonly many: string;
}

/** Declares the types of a list's pages (Relay's Cursor Connections Specification). */
export function connectionOf<Node extends object>(
  node: ClassType<Node>,
  { entry, list = entry, one, many }: Names,
): ClassType<Page<Node>> {
  const a = /^[aeiou]/.test(one) ? 'An' : 'A';

  @ObjectType(`${entry}Edge`, {
    simpleResolvers: true,
    description: `${a} ${one} of a list, with its cursor.`,
  })
  class Edge {
    @Field(() => String, { description: 'Opaque cursor. Pass it as `after` to continue after this entry.' })
    cursor!: string;

    @Field(() => node, { description: `The ${one} of this edge.` })
    node!: Node;
  }

  @ObjectType(`${list}Connection`, { simpleResolvers: true, description: `A page of ${many}.` })
  class Connection {
    @Field(() => [Edge], { description: `The ${many}, each with its cursor.` })
    edges!: Edge[];

    @Field(() => [node], { description: `The ${many} without cursors.` })
    nodes!: Node[];

    @Field(() => PageInfo, { description: 'Position of this page, and whether there are more.' })
    pageInfo!: PageInfo;
  }
  return Connection;
}

/**
 * A page of a list (Relay's Cursor Connections Specification, forward).
 * @param rows one more than `first` where there are more
 */
export function pageOf<Row, Node>(
  cursors: Cursors,
  list: string,
  rows: readonly Row[],
  asked: { readonly first: number; readonly after: unknown },
  placeOf: (row: Row) => Place,
  nodeOf: (row: Row) => Node,
): Page<Node> {
  const edges = rows.slice(0, asked.first).map((row) => {
    return { cursor: cursors.encode(list, placeOf(row)), node: nodeOf(row) };
  });
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: rows.length > asked.first,
      hasPreviousPage: asked.after != null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
