import { ParamMap } from '@angular/router';

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
const SEPARATOR = '\n';

/** The criteria in the query of the URL; one that it gives several times is invalid. */
export function criteriaOf(query: ParamMap): Criteria {
  return Object.fromEntries(
    Object.keys(NO_CRITERIA).map((name) => [name, query.getAll(name).join(SEPARATOR)]),
  ) as unknown as Criteria;
}

/** The criteria that are no such thing, which the services would refuse. */
export function invalid(criteria: Criteria): readonly CriterionName[] {
  const { number, product, customer, status, trace, from, to } = criteria;
  const valid: Record<CriterionName, boolean> = {
    number: number === '' || NUMBER.test(number),
    product: product === '' || PRODUCT.test(product),
    customer: customer.length <= MAX_CUSTOMER && ![SEPARATOR, '\0'].some((each) => customer.includes(each)),
    status: status === '' || STATUSES.some((each) => each === status),
    trace: trace === '' || traceIdOf(trace) !== null,
    from: from === '' || timeOf(from) !== null,
    to: to === '' || timeOf(to) !== null,
  };
  return (Object.keys(valid) as CriterionName[]).filter((name) => !valid[name]);
}

/** The filter of the order service, of valid criteria. */
export function filterOf(criteria: Criteria): OrderFilter {
  const given = (name: CriterionName): string | undefined => criteria[name] || undefined;
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
  const day = /^\d{4}-\d{2}-(\d{2})T\d{2}:\d{2}/.exec(local)?.[1];
  const time = new Date(local);
  // the last of February is not 31, which a date takes for the third of March
  return day === undefined || time.getDate() !== Number(day) ? null : time.toISOString();
}
