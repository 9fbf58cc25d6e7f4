import { GraphQLScalarType } from 'graphql';

/** In answers alone: an input that is no URL is to be refused as any other is, and not as a wrong type. */
export const UrlScalar = new GraphQLScalarType<string, string>({
  name: 'URL',
  description: 'An absolute URL, e.g. `https://example.com/webhooks`.',
  specifiedByURL: 'https://url.spec.whatwg.org/',
  serialize: String,
});
