import { Extensions } from 'type-graphql';

export const JUDGES_ITSELF = 'judgesItself';

/**
 * Declares that an input's own texts are looked at where it is used, all of them: one of a list can then be refused
 * alone, where otherwise the whole call is (decision 31).
 */
export const JudgesItself = (): ClassDecorator => Extensions({ [JUDGES_ITSELF]: true });
