import { invalid } from '../errors.js';

type Tree = { [key: string]: Tree | string };

const MAX_DEPTH = 10;
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/** A form as Stripe's API takes it: `items[0][price]=…`, `expand[]=…`. Values stay texts. @throws ApiError */
export function parseForm(body: string): Record<string, unknown> {
  const tree: Tree = Object.create(null) as Tree;
  for (const [name, value] of new URLSearchParams(body)) {
    const path = [
      name.replace(/\[.*$/s, ''),
      ...[...name.matchAll(/\[([^\]]*)\]/g)].map(([, key]) => key ?? ''),
    ];
    if (path.length > MAX_DEPTH || path.some((key) => FORBIDDEN.has(key)))
      throw invalid(`Invalid parameter: ${name}`);
    put(tree, path, value, name);
  }
  return arrays(tree) as Record<string, unknown>;
}

function put(tree: Tree, path: readonly string[], value: string, name: string): void {
  let at = tree;
  for (const [index, given] of path.entries()) {
    const key = given === '' ? `${Object.keys(at).length}` : given;
    if (index === path.length - 1) {
      at[key] = value;
      return;
    }
    const next = (at[key] ??= Object.create(null) as Tree);
    if (typeof next === 'string') throw invalid(`Invalid parameter: ${name}`);
    at = next;
  }
}

/** What is numbered from 0 on is an array. */
function arrays(node: Tree | string): unknown {
  if (typeof node === 'string') return node;
  const entries = Object.entries(node);
  if (entries.length > 0 && entries.every(([key]) => /^\d+$/.test(key))) {
    return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => arrays(value));
  }
  return Object.fromEntries(entries.map(([key, value]) => [key, arrays(value)]));
}
