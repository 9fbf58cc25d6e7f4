import { page } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { textOf } from '../http/route.js';
import type { Stored } from '../objects.js';
import type { Unit } from '../unit.js';
import { mergedMetadata } from '../unit.js';
import { livingCustomer } from './customers.js';

function configuration(unit: Unit, params: Params): Stored {
  return unit.add('billing_portal.configuration', {
    ...unit.base('billing_portal.configuration', 'billing_portal.configuration'),
    active: true,
    application: null,
    business_profile: params['business_profile'] ?? {
      headline: null,
      privacy_policy_url: null,
      terms_of_service_url: null,
    },
    default_return_url: textOf(params, 'default_return_url') ?? null,
    features: params['features'] ?? {},
    is_default: false,
    login_page: { enabled: false, url: null },
    metadata: mergedMetadata({}, params['metadata']),
    name: textOf(params, 'name') ?? null,
    updated: unit.now,
  });
}

export const portalRoutes: Routes = {
  'POST /v1/billing_portal/sessions': (unit, params) => {
    const customer = livingCustomer(unit, textOf(params, 'customer') ?? '');
    const given = textOf(params, 'configuration');
    if (given !== undefined) unit.get('billing_portal.configuration', given, 'configuration');
    const base = unit.base('billing_portal.session', 'billing_portal.session');
    return unit.add('billing_portal.session', {
      ...base,
      configuration: given ?? 'bpc_sbx_default',
      customer: customer.id,
      customer_account: null,
      flow: null,
      locale: null,
      on_behalf_of: null,
      return_url: textOf(params, 'return_url') ?? null,
      url: `${unit.pagesUrl}/portal/${base.id}`,
    });
  },
  'POST /v1/billing_portal/configurations': configuration,
  'GET /v1/billing_portal/configurations': (unit, params) =>
    page(unit, 'billing_portal.configuration', params, '/v1/billing_portal/configurations'),
  'GET /v1/billing_portal/configurations/*': (unit, _params, id = '') =>
    unit.get('billing_portal.configuration', id),
};
