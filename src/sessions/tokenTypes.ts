import 'reflect-metadata';
import { Field, ObjectType } from 'type-graphql';
import { DateTimeISO } from '../graphql/kit/dateTime.js';

@ObjectType({ simpleResolvers: true, description: 'The tokens of a session. Shown once.' })
export class SessionTokens {
  @Field(() => String, {
    description:
      'Send it as `Authorization: Bearer <token>`. A JWT that is valid for 15 minutes; the public keys are at `/.well-known/jwks.json`.',
  })
  sessionToken!: string;

  @Field(() => String, {
    description: 'Pass it to `refreshSession` to continue the session. Valid once, within 30 days.',
  })
  refreshToken!: string;

  @Field(() => DateTimeISO, { description: 'When the session token expires.' })
  expiresAt!: Date;
}
