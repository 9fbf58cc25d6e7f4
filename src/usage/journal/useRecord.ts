import type { Use } from '../events.js';

/** What every use says. */
type Needed = Pick<Use, 'at' | 'id' | 'key' | 'meters' | 'periods' | 'planVersion'>;

/**
 * The record of a use. Its keys stand in the order of their names, so that its JSON is canonical (RFC 8785) as it is
 * written; what is not said is null or empty, or left out where few uses have it.
 */
export function useRecord(use: Needed & Partial<Use>): Use {
  return {
    actualCost: use.actualCost ?? null,
    address: use.address ?? null,
    at: use.at,
    costVersion: use.costVersion ?? null,
    durationUs: use.durationUs ?? 0,
    endpoint: use.endpoint ?? '',
    environment: use.environment ?? 'live',
    estimatedCost: use.estimatedCost ?? null,
    id: use.id,
    key: use.key,
    ...(use.late && { late: true }),
    meters: use.meters,
    method: use.method ?? '',
    operation: use.operation ?? null,
    ...(use.overLimit && { overLimit: true }),
    patterns: use.patterns ?? [],
    periods: use.periods,
    ...(use.phase && { phase: use.phase }),
    ...(use.plan !== undefined && { plan: use.plan }),
    planVersion: use.planVersion,
    ...(use.properties && { properties: use.properties }),
    ...(use.readings && { readings: use.readings }),
    ...(use.reason !== undefined && { reason: use.reason }),
    refusal: use.refusal ?? null,
    ...(use.replaces && { replaces: use.replaces }),
    ...(use.reportBy && { reportBy: use.reportBy }),
    ...(use.requestId !== undefined && { requestId: use.requestId }),
    ...(use.reservation && { reservation: use.reservation }),
    rootFields: use.rootFields ?? [],
    source: use.source ?? null,
    status: use.status ?? 'ok',
    ...(use.subject !== undefined && { subject: use.subject }),
  };
}
