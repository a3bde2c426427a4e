import { OrderFilter, OrderStatus } from '../api/orders';
import { traceIdOf } from '../api/trace-id';

/** The filters of the list as they are in the URL, and in the fields; empty when absent. */
export interface Criteria {
  readonly number: string;
  readonly product: string;
  readonly customer: string;
  readonly status: string;
  readonly trace: string;
  /** Local time, as `2026-11-27T14:00`. */
  readonly from: string;
  readonly to: string;
}

export type CriterionName = keyof Criteria;

export const NO_CRITERIA: Criteria = { number: '', product: '', customer: '', status: '', trace: '', from: '', to: '' };
export const STATUSES: readonly OrderStatus[] = ['CREATED', 'CLOSED', 'FAILED', 'CANCELLED'];

const NUMBER = /^[1-9]\d{0,14}$/;
const PRODUCT = /^(?!\.+$)[A-Za-z0-9._-]{1,64}$/;
/** The longest name of a customer that the services take. */
const MAX_CUSTOMER = 255;

/** The criteria that are no such thing, which the services would refuse. */
export function invalid(criteria: Criteria): readonly CriterionName[] {
  const { number, product, customer, status, trace, from, to } = criteria;
  const valid: Record<CriterionName, boolean> = {
    number: number === '' || NUMBER.test(number),
    product: product === '' || PRODUCT.test(product),
    customer: customer.length <= MAX_CUSTOMER,
    status: status === '' || STATUSES.some((each) => each === status),
    trace: trace === '' || traceIdOf(trace) !== null,
    from: from === '' || timeOf(from) !== null,
    to: to === '' || timeOf(to) !== null,
  };
  return (Object.keys(valid) as CriterionName[]).filter((name) => !valid[name]);
}

/** The filter of the order service; invalid criteria are left out. */
export function filterOf(criteria: Criteria): OrderFilter {
  const wrong = new Set(invalid(criteria));
  const given = (name: CriterionName): string | undefined =>
    wrong.has(name) || criteria[name] === '' ? undefined : criteria[name];
  const time = (name: CriterionName): string | undefined => timeOf(given(name) ?? '') ?? undefined;
  const filter: Record<keyof OrderFilter, string | undefined> = {
    number: given('number'),
    product: given('product'),
    customer: given('customer'),
    status: given('status'),
    traceId: traceIdOf(given('trace') ?? '') ?? undefined,
    from: time('from'),
    to: time('to'),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as OrderFilter;
}

/** The query of the URL: the criteria that are given. */
export function queryOf(criteria: Criteria): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(criteria).filter(([, value]: [string, string]) => value !== ''));
}

function timeOf(local: string): string | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(local)) return null;
  const time = new Date(local);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
