import type { Known } from './known.js';
import { anyOf, schemaOf } from './known.js';
import type { Names, Parts, Path, Template } from './operators.js';
import { OPERATORS, TemplateError } from './operators.js';

export type { Names, Scope, Template } from './operators.js';
export { TemplateError } from './operators.js';

type Compile = (template: unknown, names: Names, path: Path) => Template;

/**
 * Makes a template ready. It is JSON: what is not said here stands for itself.
 *
 * `"$data.a.b"` names a value; `"$$"` begins a text with a dollar. An object whose first name begins with `$`
 * computes one value of others, each of which is a template. There is no loop but over a list that exists, no
 * function and no recursion, so that a template takes time in proportion to its lists.
 * @throws TemplateError for a name that there can't be, and for what is no operator
 */
export const compileTemplate: Compile = (template, names, path) => {
  if (typeof template === 'string') {
    if (template.startsWith('$$')) return constant(template.slice(1));
    return template.startsWith('$') ? reference(template, names, path) : constant(template);
  }
  if (Array.isArray(template)) {
    const items = template.map((item, index) => compileTemplate(item, names, [...path, index]));
    return {
      fill: (scope) => items.map((item) => item.fill(scope)),
      schema: { type: 'array', items: items.length === 0 ? {} : anyOf(items.map(({ schema }) => schema)) },
    };
  }
  if (typeof template !== 'object' || template === null) return constant(template);
  const parts = template as Parts;
  const [first = ''] = Object.keys(parts);
  if (first.startsWith('$')) return operation(first, parts, names, path);
  const fields = Object.entries(parts).map(
    ([name, value]) => [name, compileTemplate(value, names, [...path, name])] as const,
  );
  return {
    fill: (scope) => Object.fromEntries(fields.map(([name, field]) => [name, field.fill(scope)])),
    schema: {
      type: 'object',
      required: fields.map(([name]) => name),
      properties: Object.fromEntries(fields.map(([name, { schema }]) => [name, schema])),
    },
  };
};

const constant = (value: unknown): Template => ({
  fill: () => value,
  schema: value === null ? { type: 'null' } : { const: value },
});

function reference(text: string, names: Names, path: Path): Template {
  const [root = '', ...steps] = text.slice(1).split('.');
  let known = Object.hasOwn(names, root) ? names[root] : undefined;
  if (!known) throw new TemplateError(path, `there is no $${root}: ${listOf(Object.keys(names))}`);
  let mayBeNull = known.nullable;
  for (const step of steps) {
    if (known.kind !== 'object') throw new TemplateError(path, `${text}: nothing below has a name "${step}"`);
    const next: Known | undefined = known.fields.get(step);
    if (!next)
      throw new TemplateError(path, `${text}: there is no "${step}": ${listOf(known.fields.keys())}`);
    known = next;
    mayBeNull ||= known.nullable;
  }
  const all = [root, ...steps];
  const found: Known = { ...known, nullable: mayBeNull };
  return {
    fill: (scope) => {
      let value: unknown = scope;
      for (const name of all) {
        if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
        value = (value as Record<string, unknown>)[name];
      }
      return value ?? null;
    },
    schema: schemaOf(found),
    known: found,
  };
}

const listOf = (names: Iterable<string>): string => [...names].join(', ') || 'nothing has a name here';

function operation(name: string, parts: Parts, names: Names, path: Path): Template {
  const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  if (!operator) throw new TemplateError(path, `there is no ${name}: ${listOf(Object.keys(OPERATORS))}`);
  const fail = (part: string, message: string) => new TemplateError([...path, part], `${name}: ${message}`);
  for (const part of operator.parts) {
    if (!(part in parts)) throw new TemplateError(path, `${name}: needs ${listOf(operator.parts)}`);
  }
  for (const part of Object.keys(parts)) {
    if (part === name || operator.parts.includes(part) || operator.optional?.includes(part)) continue;
    throw fail(part, `there is no "${part}" beside it`);
  }
  const compile = (part: string, within: Names = names): Template =>
    compileTemplate(parts[part] ?? null, within, [...path, part]);
  const at = (one: unknown, part: string, index: number): Template =>
    compileTemplate(one, names, [...path, part, index]);
  return operator.compile(parts, compile, { names, at, fail });
}
