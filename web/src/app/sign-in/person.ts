import { isRecord } from 'orderstream-client';

export type Role = 'customer' | 'operator' | 'viewer';

/** Who uses this page. */
export interface Person {
  /** The issuer's identifier, the claim `sub`. */
  readonly subject: string;
  readonly name: string;
  readonly role: Role;
}

/** Who uses the page without sign-in. */
export const EVERYBODY: Person = { subject: 'anonymous', name: '', role: 'operator' };

/** What the page offers to a person. The services decide themselves what they allow. */
export interface Permissions {
  /** Place, change and cancel orders. */
  readonly order: boolean;
  /** See the orders of all customers, and how the services work. */
  readonly seeAll: boolean;
  /** Act on the system: set the stock, redrive, retry, disconnect. */
  readonly operate: boolean;
}

export function permissionsOf(role: Role): Permissions {
  return { order: role !== 'viewer', seeAll: role !== 'customer', operate: role === 'operator' };
}

type Claims = Readonly<Record<string, unknown>>;

/**
 * The person that tokens of an issuer describe. The services take the roles from the access token, and so does this.
 *
 * @param rolesClaim the name of the claim with the roles, or the path to it, as in `realm_access.roles`.
 */
export function personOf(identity: Claims, access: Claims, rolesClaim: string): Person {
  const names = [identity['name'], identity['preferred_username'], identity['cognito:username'], identity['email']];
  const subject = String(identity['sub']);
  const name = [...names, access['username']].find((each) => typeof each === 'string' && each.trim() !== '');
  const roles = [claimAt(access, rolesClaim)].flat();
  const role = (['operator', 'viewer'] as const).find((each) => roles.includes(each)) ?? 'customer';
  return { subject, name: typeof name === 'string' ? name : subject, role };
}

/** The claims of a JWT, unverified; none when it is not a JWT. */
export function claimsOf(token: string): Claims {
  try {
    const payload = atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(payload, (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isRecord(claims) ? claims : {};
  } catch {
    return {};
  }
}

function claimAt(claims: Claims, path: string): unknown {
  if (path in claims) return claims[path];
  return path.split('.').reduce<unknown>((found, name) => (isRecord(found) ? found[name] : undefined), claims);
}
