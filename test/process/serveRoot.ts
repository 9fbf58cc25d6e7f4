import { serve } from '../../src/cli/serve.js';

// The server as a process of its own, on the profiles and patterns of the folder it is given.
await serve(process.env, process.argv[2] as string);
