import 'reflect-metadata';
import { Field, ObjectType } from 'type-graphql';
import { DateTimeISO } from '../graphql/kit/dateTime.js';

@ObjectType({ simpleResolvers: true, description: 'The tokens of a session. They are shown once.' })
export class SessionTokens {
  @Field(() => String, {
    description:
      'Send it as `Authorization: Bearer <token>`. A JWT, good for 15 minutes; the public keys are at `/.well-known/jwks.json`.',
  })
  sessionToken!: string;

  @Field(() => String, {
    description:
      'For `refreshSession`, once, within 30 days. Without it the session ends with the session token.',
  })
  refreshToken!: string;

  @Field(() => DateTimeISO, { description: 'When the session token expires.' })
  expiresAt!: Date;
}
