import { page } from '../http/lists.js';
import type { Routes } from '../http/route.js';
import { textOf } from '../http/route.js';
import { mergedMetadata, randomText } from '../unit.js';

/** How long events can be read, in seconds. */
export const EVENT_SECONDS = 30 * 86_400;

export const eventRoutes: Routes = {
  'GET /v1/events': (unit, params) => {
    const type = textOf(params, 'type');
    const types = params['types'] as string[] | undefined;
    const success = params['delivery_success'];
    const pattern = type?.endsWith('*') ? type.slice(0, -1) : undefined;
    return page(
      unit,
      'event',
      params,
      '/v1/events',
      (event) =>
        event.created > unit.now - EVENT_SECONDS &&
        (type === undefined ||
          event.type === type ||
          (pattern !== undefined && event.type.startsWith(pattern))) &&
        (types === undefined || types.includes(event.type)) &&
        (success === undefined || (event.pending_webhooks === 0) === success),
    );
  },
  'GET /v1/events/*': (unit, _params, id = '') => unit.get('event', id),
  'POST /v1/webhook_endpoints': (unit, params) => {
    const endpoint = unit.add('webhook_endpoint', {
      ...unit.base('webhook_endpoint', 'webhook_endpoint'),
      api_version: null,
      application: null,
      description: textOf(params, 'description') ?? null,
      enabled_events: params['enabled_events'] as string[],
      metadata: mergedMetadata({}, params['metadata']),
      status: 'enabled',
      url: textOf(params, 'url') ?? '',
      $: { secret: `whsec_sbx_${randomText(32)}` },
    });
    // The secret is shown once, by the call that has made it.
    return { ...endpoint, secret: endpoint.$.secret };
  },
  'GET /v1/webhook_endpoints': (unit, params) =>
    page(unit, 'webhook_endpoint', params, '/v1/webhook_endpoints'),
  'GET /v1/webhook_endpoints/*': (unit, _params, id = '') => unit.get('webhook_endpoint', id),
  'POST /v1/webhook_endpoints/*': (unit, params, id = '') => {
    const endpoint = unit.edit('webhook_endpoint', id);
    if (textOf(params, 'url') !== undefined) endpoint.url = textOf(params, 'url') ?? '';
    if (Array.isArray(params['enabled_events']))
      endpoint.enabled_events = params['enabled_events'] as string[];
    if (typeof params['disabled'] === 'boolean')
      endpoint.status = params['disabled'] ? 'disabled' : 'enabled';
    return endpoint;
  },
  'DELETE /v1/webhook_endpoints/*': (unit, _params, id = '') => {
    unit.get('webhook_endpoint', id);
    unit.remove('webhook_endpoint', id);
    return { id, object: 'webhook_endpoint', deleted: true };
  },
};
