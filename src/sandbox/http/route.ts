import type { Unit } from '../unit.js';

export type Params = Readonly<Record<string, unknown>>;

/** Answers one call of the API. Ids of the path come in their order. @throws ApiError */
export type Handler = (unit: Unit, params: Params, ...ids: string[]) => unknown;

/** Calls by verb and path, as `POST /v1/customers/*`. */
export type Routes = Readonly<Record<string, Handler>>;

export const textOf = (params: Params, name: string): string | undefined => {
  const value = params[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

export const numberOf = (params: Params, name: string): number | undefined => {
  const value = params[name];
  return typeof value === 'number' ? value : undefined;
};

export const objectOf = (params: Params, name: string): Params | undefined => {
  const value = params[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Params) : undefined;
};

export const arrayOf = (params: Params, name: string): Params[] => {
  const value = params[name];
  return Array.isArray(value) ? (value as Params[]) : [];
};
