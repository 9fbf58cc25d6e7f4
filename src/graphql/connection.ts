import 'reflect-metadata';
import { Field, ObjectType } from 'type-graphql';
import type { Cursors, Place } from './cursors.js';

@ObjectType({ simpleResolvers: true, description: 'Where a page stands (Relay cursor connections).' })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether there are entries behind this page.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, {
    description: 'Whether there are entries before this page: it was asked for with `after`.',
  })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'The place of the first entry; null for an empty page.',
  })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Give it as `after` for the next page.' })
  endCursor!: string | null;
}

export interface Page<Node> {
  readonly edges: { readonly cursor: string; readonly node: Node }[];
  readonly nodes: Node[];
  readonly pageInfo: PageInfo;
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
