// Writes src/sandbox/parameters.json: what each call of Stripe's API takes, as JSON Schema, read from the
// types of the installed SDK. Run it after the SDK was updated: node scripts/stripeParameters.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './lib.mjs';

const sdk = join(root, 'node_modules/stripe');
const { version } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8'));

/** The resources that the sandbox has, as the SDK's files are named. */
const RESOURCES = [
  'Balance',
  'BillingPortal/Configurations',
  'BillingPortal/Sessions',
  'Billing/MeterEventAdjustments',
  'Billing/MeterEvents',
  'Billing/Meters',
  'Charges',
  'Checkout/Sessions',
  'Coupons',
  'CreditNotes',
  'Customers',
  'Disputes',
  'Events',
  'InvoiceItems',
  'InvoicePayments',
  'Invoices',
  'PaymentIntents',
  'PaymentMethods',
  'Prices',
  'Products',
  'PromotionCodes',
  'Refunds',
  'SetupIntents',
  'SubscriptionItems',
  'Subscriptions',
  'SubscriptionSchedules',
  'TaxRates',
  'WebhookEndpoints',
];

/** Of other ways to pay than cards: any object passes. */
const UNTYPED = new Set(['payment_method_options', 'payment_method_data', 'radar_options']);
/** Numbers that may have decimals; all others are whole. */
const FRACTIONS = /percent/;
/** Longer lists, such as the kinds of tax ids, are left to Stripe. */
const MAX_ENUM = 40;
const MAX_DEPTH = 9;

const files = RESOURCES.map((name) => join(sdk, 'esm/resources', `${name}.d.ts`));
const program = ts.createProgram(files, { module: ts.ModuleKind.NodeNext, strict: true, noLib: false });
const checker = program.getTypeChecker();

const definitions = new Map();
/** What stands in several places stands once among the definitions. */
function shared(schema) {
  const text = JSON.stringify(schema);
  if (text.length < 120) return schema;
  const known = definitions.get(text) ?? { id: definitions.size, uses: 0, schema };
  known.uses++;
  definitions.set(text, known);
  return { $ref: `#/$defs/${known.id}` };
}

/** `string & Record<never, never>`: any other text than the ones that are listed. */
const isOtherString = (type) =>
  type.isIntersection() && type.types.some(({ flags }) => flags & ts.TypeFlags.StringLike);

function schemaOf(type, depth) {
  if (depth > MAX_DEPTH) return {};
  const name = type.aliasSymbol?.name ?? type.symbol?.name;
  if (name === 'Decimal') return { type: 'string', format: 'decimal' };
  if (type.isUnion()) return unionOf(type, depth);
  if (type.isStringLiteral()) return { const: type.value };
  if (type.flags & ts.TypeFlags.StringLike) return { type: 'string' };
  if (type.flags & ts.TypeFlags.NumberLike) return { type: 'number' };
  if (type.flags & ts.TypeFlags.BooleanLike) return { type: 'boolean' };
  if (type.isIntersection()) return { type: 'string', ...(!isOtherString(type) && { format: 'decimal' }) };
  if (checker.isArrayType(type)) {
    return { type: 'array', items: schemaOf(checker.getTypeArguments(type)[0], depth + 1) };
  }
  const index = checker.getIndexTypeOfType(type, ts.IndexKind.String);
  if (index) return { type: 'object', additionalProperties: schemaOf(index, depth + 1) };
  if (type.flags & ts.TypeFlags.Object) return objectOf(type, depth);
  return {};
}

function unionOf(type, depth) {
  const members = type.types.filter(
    (member) => !(member.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Null)) && !isOtherString(member),
  );
  const literals = members.filter((member) => member.isStringLiteral()).map(({ value }) => value);
  const others = members.filter((member) => !member.isStringLiteral());
  const booleans = others.filter((member) => member.flags & ts.TypeFlags.BooleanLiteral);
  const rest = others.filter((member) => !booleans.includes(member)).map((member) => schemaOf(member, depth));
  if (booleans.length > 0) rest.unshift({ type: 'boolean' });
  if (rest.some((one) => one.type === 'string' && !one.format)) return { type: 'string' };
  if (literals.length > MAX_ENUM) return { type: 'string' };
  const all = literals.length > 0 ? [{ enum: literals }, ...rest] : rest;
  return all.length === 1 ? all[0] : { anyOf: all };
}

/** The types say `number` for whole numbers, too. */
function whole(name, schema) {
  if (FRACTIONS.test(name)) return schema;
  if (schema.type === 'number') return { type: 'integer' };
  return schema.anyOf ? { anyOf: schema.anyOf.map((one) => whole(name, one)) } : schema;
}

function objectOf(type, depth) {
  const properties = {};
  const required = [];
  for (const property of checker.getPropertiesOfType(type)) {
    const optional = property.flags & ts.SymbolFlags.Optional;
    if (!optional) required.push(property.name);
    properties[property.name] = UNTYPED.has(property.name)
      ? { type: 'object' }
      : whole(property.name, schemaOf(checker.getTypeOfSymbol(property), depth + 1));
  }
  return shared({
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  });
}

/** Verb and path of each method, as the SDK sends it. */
function callsOf(file) {
  const text = readFileSync(file.replace(/\.d\.ts$/, '.js'), 'utf8');
  const calls = new Map();
  const pattern = /^ {4}(\w+)\(([^)]*)\) \{\s*return this\._makeRequest\('(\w+)', [`']([^`']+)[`']/gm;
  for (const [, method, , verb, path] of text.matchAll(pattern)) {
    calls.set(method, `${verb} ${path.replace(/\$\{encodeURIComponent\((\w+)\)\}/g, ':$1')}`);
  }
  return calls;
}

const routes = {};
for (const file of files) {
  const calls = callsOf(file);
  const source = program.getSourceFile(file);
  ts.forEachChild(source, (node) => {
    if (!ts.isClassDeclaration(node)) return;
    for (const member of node.members) {
      if (!ts.isMethodDeclaration(member)) continue;
      const call = calls.get(member.name.text);
      if (call === undefined) continue;
      const params = member.parameters.find(({ name }) => name.text === 'params');
      const type = params && checker.getNonNullableType(checker.getTypeAtLocation(params));
      routes[call.replace(/:\w+/g, '*')] = type
        ? schemaOf(type, 0)
        : { type: 'object', additionalProperties: false };
    }
  });
}

// What is used once stands where it is used.
const byId = new Map([...definitions.values()].map((one) => [`#/$defs/${one.id}`, one]));
function inlined(schema) {
  if (Array.isArray(schema)) return schema.map(inlined);
  if (typeof schema !== 'object' || schema === null) return schema;
  const one = byId.get(schema.$ref);
  if (one) return one.uses === 1 ? inlined(one.schema) : schema;
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, inlined(value)]));
}
const line = ([key, value]) => `${JSON.stringify(String(key))}:${JSON.stringify(inlined(value))}`;
const kept = [...definitions.values()].filter(({ uses }) => uses > 1).map(({ id, schema }) => [id, schema]);
const text = `{"stripe":"${version}",
"routes":{
${Object.entries(routes).sort().map(line).join(',\n')}},
"$defs":{
${kept.map(line).join(',\n')}}}
`;
JSON.parse(text);
writeFileSync(join(root, 'src/sandbox/parameters.json'), text);
console.log(`${Object.keys(routes).length} calls, ${kept.length} definitions, ${text.length} bytes`);
