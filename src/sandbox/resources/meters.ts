import { invalid } from '../errors.js';
import { page, pageOf } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { numberOf, objectOf, textOf } from '../http/route.js';
import type { Meter } from '../objects.js';
import { DAY, HOUR } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { randomText, sandboxId } from '../unit.js';
import { aggregate } from './usage.js';

const OLDEST = 35 * DAY;
const AHEAD = 5 * 60;

function createMeter(unit: Unit, params: Params): Meter {
  const name = textOf(params, 'event_name') ?? '';
  const taken = [...unit.all('billing.meter')].some(
    ({ event_name, status }) => event_name === name && status === 'active',
  );
  if (taken)
    throw invalid(
      `An active meter already exists for event name ${name}.`,
      'event_name',
      'resource_already_exists',
    );
  const formula = objectOf(params, 'default_aggregation')?.['formula'] as 'count' | 'last' | 'sum';
  const mapping = objectOf(params, 'customer_mapping');
  return unit.add('billing.meter', {
    ...unit.base('billing.meter', 'billing.meter'),
    customer_mapping: {
      event_payload_key: textOf(mapping ?? {}, 'event_payload_key') ?? 'stripe_customer_id',
      type: 'by_id',
    },
    default_aggregation: { formula },
    display_name: textOf(params, 'display_name') ?? '',
    event_name: name,
    event_time_window: (textOf(params, 'event_time_window') ?? null) as Meter['event_time_window'],
    status: 'active',
    status_transitions: { deactivated_at: null },
    updated: unit.now,
    value_settings: {
      event_payload_key: textOf(objectOf(params, 'value_settings') ?? {}, 'event_payload_key') ?? 'value',
    },
  });
}

function createEvent(unit: Unit, params: Params): unknown {
  const name = textOf(params, 'event_name') ?? '';
  const meter = [...unit.all('billing.meter')].find(
    ({ event_name, status }) => event_name === name && status === 'active',
  );
  if (!meter) throw invalid(`No active meter found for event name ${name}.`, 'event_name', 'no_meter');
  const payload = (params['payload'] ?? {}) as Record<string, string>;
  const customer = payload[meter.customer_mapping.event_payload_key];
  const value = payload[meter.value_settings.event_payload_key];
  const counts = meter.default_aggregation.formula === 'count';
  if (customer === undefined)
    throw invalid(`The payload lacks ${meter.customer_mapping.event_payload_key}.`, 'payload');
  if (!counts && (value === undefined || !/^-?\d+(\.\d{1,12})?$/.test(value))) {
    throw invalid(`The payload lacks a number as ${meter.value_settings.event_payload_key}.`, 'payload');
  }
  unit.get('customer', customer, 'payload[stripe_customer_id]');
  const timestamp = numberOf(params, 'timestamp') ?? unit.now;
  if (timestamp < unit.now - OLDEST || timestamp > unit.now + AHEAD) {
    throw invalid(
      'The timestamp must be within the past 35 days and at most 5 minutes ahead.',
      'timestamp',
      'timestamp_too_far_in_past',
    );
  }
  const identifier = textOf(params, 'identifier') ?? randomText(24);
  if (identifier.length > 100) throw invalid('An identifier has at most 100 characters.', 'identifier');
  const same = [...unit.all('billing.meter_event')].find(
    (event) => event.identifier === identifier && event.meter === meter.id,
  );
  if (same && same.created > unit.now - DAY) {
    throw invalid(
      `An event already exists with identifier ${identifier}.`,
      'identifier',
      'duplicate_meter_event',
    );
  }
  unit.add('billing.meter_event', {
    ...unit.base('billing.meter_event', 'billing.meter_event'),
    meter: meter.id,
    customer,
    identifier,
    timestamp,
    value: value ?? '1',
    cancelled: false,
  });
  return {
    object: 'billing.meter_event',
    created: unit.now,
    event_name: name,
    identifier,
    livemode: false,
    payload,
    timestamp,
  };
}

/** One window for all of the time, or one for each hour or day (UTC), the newest first. */
function summaries(unit: Unit, params: Params, id: string): unknown {
  const meter = unit.get('billing.meter', id);
  const from = numberOf(params, 'start_time') ?? 0;
  const to = numberOf(params, 'end_time') ?? unit.now;
  const step = { hour: HOUR, day: DAY }[textOf(params, 'value_grouping_window') ?? ''];
  const events = unit.filter(
    'billing.meter_event',
    (event) => event.meter === id && event.customer === params['customer'] && !event.cancelled,
  );
  const windows: { id: string }[] = [];
  for (let start = from; start < to; start += step ?? to - from) {
    const end = Math.min(to, start + (step ?? to - from));
    const within = events.filter(({ timestamp }) => timestamp >= start && timestamp < end);
    if (step !== undefined && within.length === 0) continue;
    windows.push({
      id: sandboxId('mtrsum'),
      ...{
        object: 'billing.meter_event_summary',
        aggregated_value: aggregate(within, meter.default_aggregation.formula),
        end_time: end,
        livemode: false,
        meter: id,
        start_time: start,
      },
    });
  }
  return pageOf(windows.reverse(), params, `/v1/billing/meters/${id}/event_summaries`, 'summary');
}

function setStatus(unit: Unit, id: string, status: Meter['status']): Meter {
  const meter = unit.edit('billing.meter', id);
  meter.status = status;
  meter['status_transitions'] = { deactivated_at: status === 'inactive' ? unit.now : null };
  return meter;
}

export const meterRoutes: Routes = {
  'POST /v1/billing/meters': createMeter,
  'GET /v1/billing/meters': (unit, params) =>
    page(
      unit,
      'billing.meter',
      params,
      '/v1/billing/meters',
      ({ status }) => params['status'] === undefined || status === params['status'],
    ),
  'GET /v1/billing/meters/*': (unit, _params, id = '') => unit.get('billing.meter', id),
  'POST /v1/billing/meters/*': (unit, params, id = '') => {
    const meter = unit.edit('billing.meter', id);
    meter['display_name'] = textOf(params, 'display_name') ?? meter['display_name'];
    meter['updated'] = unit.now;
    return meter;
  },
  'POST /v1/billing/meters/*/deactivate': (unit, _params, id = '') => setStatus(unit, id, 'inactive'),
  'POST /v1/billing/meters/*/reactivate': (unit, _params, id = '') => setStatus(unit, id, 'active'),
  'GET /v1/billing/meters/*/event_summaries': (unit, params, id = '') => summaries(unit, params, id),
  'POST /v1/billing/meter_events': createEvent,
  'POST /v1/billing/meter_event_adjustments': (unit, params) => {
    const identifier = textOf(objectOf(params, 'cancel') ?? {}, 'identifier') ?? '';
    const found = [...unit.all('billing.meter_event')].find((event) => event.identifier === identifier);
    if (!found || found.created < unit.now - DAY) {
      throw invalid(`No event of the past 24 hours has the identifier ${identifier}.`, 'cancel[identifier]');
    }
    unit.edit('billing.meter_event', found.id).cancelled = true;
    return {
      object: 'billing.meter_event_adjustment',
      cancel: { identifier },
      event_name: textOf(params, 'event_name'),
      livemode: false,
      status: 'complete',
      type: 'cancel',
    };
  },
};
