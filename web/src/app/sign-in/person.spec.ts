import { claimsOf, permissionsOf, personOf } from './person';

function jwt(claims: object): string {
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return `e30.${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}.signature`;
}

describe('The person of a token', () => {
  it('has the role that the services take from the access token', () => {
    const identity = { sub: 'a', 'cognito:groups': ['operator'] };
    const role = (access: object): string => personOf(identity, { ...access }, 'cognito:groups').role;
    expect(role({})).toBe('customer');
    expect(role({ 'cognito:groups': ['viewer'] })).toBe('viewer');
    expect(role({ 'cognito:groups': ['viewer', 'operator'] })).toBe('operator');
    expect(role({ 'cognito:groups': 'operator' })).toBe('operator');
    expect(role({ 'cognito:groups': ['operators'] })).toBe('customer');
  });

  it('has a role below a path', () => {
    const access = { realm_access: { roles: ['operator'] } };
    expect(personOf({ sub: 'a' }, access, 'realm_access.roles').role).toBe('operator');
    expect(personOf({ sub: 'a' }, { realm_access: 1 }, 'realm_access.roles').role).toBe('customer');
  });

  it('has the best name there is', () => {
    const name = (identity: object, access = {}): string => personOf({ sub: 'id', ...identity }, access, 'roles').name;
    expect(name({ name: 'Alice', email: 'a@example.com' })).toBe('Alice');
    expect(name({ name: ' ', preferred_username: 'alice' })).toBe('alice');
    expect(name({ 'cognito:username': 'alice' })).toBe('alice');
    expect(name({}, { username: 'alice' })).toBe('alice');
    expect(name({})).toBe('id');
  });

  it('reads the claims of a JWT, and none of anything else', () => {
    expect(claimsOf(jwt({ name: 'Zoë ÿ?>' }))).toEqual({ name: 'Zoë ÿ?>' });
    for (const opaque of ['', 'opaque', 'a.b.c', jwt([1])]) expect(claimsOf(opaque)).toEqual({});
  });
});

describe('Permissions', () => {
  it.each([
    ['customer', { order: true, seeAll: false, operate: false }],
    ['operator', { order: true, seeAll: true, operate: true }],
    ['viewer', { order: false, seeAll: true, operate: false }],
  ] as const)('of a %s', (role, permissions) => {
    expect(permissionsOf(role)).toEqual(permissions);
  });
});
