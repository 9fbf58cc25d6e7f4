import { page } from '../http/lists.js';
import type { Routes } from '../http/route.js';
import { textOf } from '../http/route.js';
import { mergedMetadata } from '../unit.js';

export const taxRateRoutes: Routes = {
  'POST /v1/tax_rates': (unit, params) =>
    unit.add('tax_rate', {
      ...unit.base('tax_rate', 'tax_rate'),
      active: params['active'] !== false,
      country: textOf(params, 'country') ?? null,
      description: textOf(params, 'description') ?? null,
      display_name: textOf(params, 'display_name') ?? '',
      effective_percentage: null,
      flat_amount: null,
      inclusive: params['inclusive'] === true,
      jurisdiction: textOf(params, 'jurisdiction') ?? null,
      jurisdiction_level: null,
      metadata: mergedMetadata({}, params['metadata']),
      percentage: params['percentage'] as number,
      rate_type: 'percentage',
      state: textOf(params, 'state') ?? null,
      tax_type: textOf(params, 'tax_type') ?? null,
    }),
  'GET /v1/tax_rates': (unit, params) =>
    page(
      unit,
      'tax_rate',
      params,
      '/v1/tax_rates',
      ({ active }) => params['active'] === undefined || active === params['active'],
    ),
  'GET /v1/tax_rates/*': (unit, _params, id = '') => unit.get('tax_rate', id),
  'POST /v1/tax_rates/*': (unit, params, id = '') => {
    const rate = unit.edit('tax_rate', id);
    if (typeof params['active'] === 'boolean') rate.active = params['active'];
    return rate;
  },
};
