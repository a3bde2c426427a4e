import * as oauth from 'oauth4webapi';

import { AuthConfiguration, IssuerMetadata } from '../api/endpoints';
import { Attempt, Issuer, RefusedError, SignedIn, Tokens } from './tokens';

const TIMEOUT_MS = 10_000;
/** Of this machine's clock, in seconds. The nonce, not the time, makes the ID token one of this sign-in. */
const CLOCK_TOLERANCE_S = 300;
/** Without `expires_in`, which is only recommended (RFC 6749, section 5.1). */
const DEFAULT_LIFETIME_S = 300;
const TOO_MANY = 429;
const SERVER_ERROR = 500;

/**
 * Sign in at an OpenID Connect issuer by authorization code with PKCE.
 *
 * Loaded only where sign-in is configured: nothing else imports oauth4webapi.
 *
 * @param page the base URL of the page, which the issuer redirects to.
 */
export async function openIdConnect(auth: AuthConfiguration, page: string): Promise<Issuer> {
  const server = auth.metadata === undefined ? await discover(auth.issuer) : await reached(auth.metadata);
  return new OpenIdConnectIssuer(server, auth, page);
}

async function discover(issuer: string): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer);
  return guarded(async () => oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, requestOptions())));
}

/** Nobody is sent to an issuer that is away: the browser would show its own error instead of the page. */
async function reached(metadata: IssuerMetadata): Promise<oauth.AuthorizationServer> {
  await fetch(metadata.token_endpoint, { mode: 'no-cors', signal: AbortSignal.timeout(TIMEOUT_MS) });
  return { ...metadata };
}

class OpenIdConnectIssuer implements Issuer {
  private readonly client: oauth.Client;

  constructor(
    private readonly server: oauth.AuthorizationServer,
    private readonly auth: AuthConfiguration,
    private readonly page: string,
  ) {
    this.client = { client_id: auth.clientId, [oauth.clockTolerance]: CLOCK_TOLERANCE_S };
  }

  async begin(returnTo: string, anotherPerson: boolean): Promise<{ attempt: Attempt; url: string }> {
    const attempt: Attempt = {
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
      verifier: oauth.generateRandomCodeVerifier(),
      returnTo,
    };
    const url = this.endpoint('authorization_endpoint', {
      response_type: 'code',
      client_id: this.auth.clientId,
      redirect_uri: this.page,
      scope: this.auth.scope,
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(attempt.verifier),
      code_challenge_method: 'S256',
      // without it the issuer signs in whoever has a session there
      ...(anotherPerson && { prompt: 'login' }),
    });
    if (url === null) throw new RefusedError('no authorization endpoint');
    return { attempt, url };
  }

  async redeem(attempt: Attempt, answer: URLSearchParams): Promise<SignedIn> {
    return guarded(async () => {
      const { server, client } = this;
      const parameters = oauth.validateAuthResponse(server, client, answer, attempt.state);
      const { verifier, nonce } = attempt;
      const response = await oauth.authorizationCodeGrantRequest(
        ...([server, client, oauth.None(), parameters, this.page, verifier, requestOptions()] as const),
      );
      const expected = { expectedNonce: nonce, requireIdToken: true };
      const result = await oauth.processAuthorizationCodeResponse(server, client, response, expected);
      const claims = oauth.getValidatedIdTokenClaims(result);
      return { tokens: tokensOf(result, null), claims: { ...claims } };
    });
  }

  async refresh(tokens: Tokens): Promise<Tokens> {
    return guarded(async () => {
      const { server, client } = this;
      const response = await oauth.refreshTokenGrantRequest(
        ...([server, client, oauth.None(), tokens.refresh ?? '', requestOptions()] as const),
      );
      return tokensOf(await oauth.processRefreshTokenResponse(server, client, response), tokens);
    });
  }

  async revoke(tokens: Tokens): Promise<void> {
    if (tokens.refresh === null || this.server.revocation_endpoint === undefined) return;
    const options = { ...requestOptions(), additionalParameters: { token_type_hint: 'refresh_token' } };
    await guarded(async () =>
      oauth.processRevocationResponse(
        await oauth.revocationRequest(this.server, this.client, oauth.None(), tokens.refresh ?? '', options),
      ),
    );
  }

  signOutUrl(tokens: Tokens): string | null {
    return this.endpoint('end_session_endpoint', {
      client_id: this.auth.clientId,
      ...(tokens.identity !== null && { id_token_hint: tokens.identity }),
      post_logout_redirect_uri: this.page,
      // the name of that parameter at Amazon Cognito
      logout_uri: this.page,
    });
  }

  private endpoint(
    name: 'authorization_endpoint' | 'end_session_endpoint',
    query: Record<string, string>,
  ): string | null {
    const endpoint = this.server[name];
    if (endpoint === undefined) return null;
    const url = new URL(endpoint);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    return url.href;
  }
}

/** An issuer that does not rotate refresh tokens repeats neither it nor the ID token. */
function tokensOf(result: oauth.TokenEndpointResponse, before: Tokens | null): Tokens {
  const lifetimeMs = (result.expires_in ?? DEFAULT_LIFETIME_S) * 1000;
  return {
    access: result.access_token,
    refresh: result.refresh_token ?? before?.refresh ?? null,
    identity: result.id_token ?? before?.identity ?? null,
    expiresAt: Date.now() + lifetimeMs,
    lifetimeMs,
  };
}

function requestOptions(): { signal: AbortSignal; [oauth.allowInsecureRequests]: boolean } {
  return {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    // a page over HTTPS can't call an issuer over HTTP anyway
    [oauth.allowInsecureRequests]: location.protocol === 'http:',
  };
}

/** Turns the refusals of the issuer, and answers that are not to be trusted, into RefusedError. */
async function guarded<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

function refusalOf(error: unknown): RefusedError | null {
  if (error instanceof oauth.AuthorizationResponseError) return new RefusedError(error.error);
  if (error instanceof oauth.ResponseBodyError) {
    const passing = error.status === TOO_MANY || error.status >= SERVER_ERROR;
    return passing ? null : new RefusedError(error.error);
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) return new RefusedError('invalid_client');
  // what a gateway in front of the issuer answers is no answer of the issuer
  const unreadable: (string | undefined)[] = [
    oauth.RESPONSE_IS_NOT_CONFORM,
    oauth.RESPONSE_IS_NOT_JSON,
    oauth.PARSE_ERROR,
  ];
  if (error instanceof oauth.OperationProcessingError && !unreadable.includes(error.code)) {
    return new RefusedError(error.message);
  }
  return error instanceof oauth.UnsupportedOperationError ? new RefusedError(error.message) : null;
}
