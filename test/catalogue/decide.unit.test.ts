import { patternDecider } from '../../src/catalogue/decide.js';
import type { PatternContent, PatternEvent } from '../../src/catalogue/events.js';
import { given } from '../eventsourcing/given.js';

const content: PatternContent = {
  slug: 'saga',
  name: 'Saga',
  category: 'cloud',
  tier: 'community',
  tags: ['a', 'b'],
  description: 'Steps that are undone.',
  example: { language: 'ts', text: 'x' },
};
const published: PatternEvent = { type: 'PatternPublished', data: content };
const changed: PatternContent = { ...content, description: 'Steps that can be undone.' };
const revised: PatternEvent = { type: 'PatternRevised', data: changed };

it('publishes a new pattern', () => {
  given(patternDecider).when(content).then(published);
});

it('changes nothing for the same content, in whatever order its fields come', () => {
  const { slug, ...rest } = content;
  given(patternDecider, published)
    .when({ ...rest, slug })
    .then();
  given(patternDecider, published, revised).when(changed).then();
});

it.each<Partial<PatternContent>>([
  { name: 'Sagas' },
  { tier: 'basic' },
  { tags: ['b', 'a'] },
  { example: null },
  { example: { language: 'ts', text: 'y' } },
])('revises it when %j is new', (change) => {
  const data = { ...content, ...change };
  given(patternDecider, published).when(data).then({ type: 'PatternRevised', data });
});

it('takes going back to an earlier content for a change', () => {
  given(patternDecider, published, revised).when(content).then({ type: 'PatternRevised', data: content });
});
