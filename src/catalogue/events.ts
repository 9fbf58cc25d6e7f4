import { canonicalJson } from '../canonicalJson.js';
import { contentHash } from '../eventsourcing/ids.js';

/** Of a pattern. */
export const MAX_TAGS = 8;

/** What a category is called. */
export const CATEGORY = { min: 1, max: 100 };

/** A pattern's content: an entry of the catalogue. */
export interface PatternContent {
  readonly slug: string;
  readonly name: string;
  readonly category: string;
  /** One of the profile's tiers: which plans may see it. */
  readonly tier: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly example: { readonly language: string; readonly text: string } | null;
}

/** Stream `pattern-<id>`. Each event holds the whole content. */
export type PatternEvent =
  | { readonly type: 'PatternPublished'; readonly data: PatternContent }
  | { readonly type: 'PatternRevised'; readonly data: PatternContent };

export const patternStream = (patternId: string): string => `pattern-${patternId}`;

/** Tells whether a pattern's content has changed. */
export const patternHash = (content: PatternContent): string => contentHash(canonicalJson(content));

type Described = Pick<PatternContent, 'name' | 'description'>;

/** The text that stands for a pattern in search by meaning: code would crowd out the rest. */
export const embeddingText = ({ name, description }: Described): string => `${name}. ${description}`;

/** Vectors are kept by this, so that nothing is computed twice. */
export const embeddingHash = (pattern: Described): string => contentHash(embeddingText(pattern));
