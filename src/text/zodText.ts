import { z } from 'zod';
import type { TextRule } from './text.js';
import { textProblem, unnamed } from './text.js';

/** A text in a file of ours, by the same rules as one that a client sends. */
export const zodText = (rule: TextRule) =>
  z.string().superRefine((text, context) => {
    const problem = textProblem('it', text, rule);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: unnamed(problem) });
  });
