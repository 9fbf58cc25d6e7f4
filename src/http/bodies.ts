/** Methods of which Fastify reads no body, whatever comes. */
const BODYLESS: readonly string[] = ['GET', 'HEAD', 'TRACE'];

/** Whether a body by this method is read, where one comes. */
export const readsBody = (method: string): boolean => !BODYLESS.includes(method);
