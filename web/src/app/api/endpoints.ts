import { Injectable, signal } from '@angular/core';

export const SERVICES = ['order', 'inventory', 'processing', 'notification'] as const;

export type Service = (typeof SERVICES)[number];

/** How people sign in: an OpenID Connect issuer. */
export interface AuthConfiguration {
  readonly issuer: string;
  readonly clientId: string;
  /** Separated by spaces; with `openid`. */
  readonly scope: string;
  /** The claim of the access token with the roles, or the path to it, as in `realm_access.roles`. */
  readonly rolesClaim: string;
  /** The issuer's metadata (RFC 8414); without them, the page reads them at the issuer. */
  readonly metadata?: IssuerMetadata;
}

export interface IssuerMetadata {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly revocation_endpoint?: string;
  readonly end_session_endpoint?: string;
}

/** The configuration that the page's server provides. */
export interface Configuration extends Readonly<Record<Service, string>> {
  /** The base URLs of each replica that is reachable by itself; by default the service's own URL. */
  readonly replicas?: Partial<Record<Service, readonly string[]>>;
  /** Absent where nobody signs in. */
  readonly auth?: AuthConfiguration;
}

/** One origin for all services. */
export const SAME_ORIGIN = Object.fromEntries(SERVICES.map((each) => [each, '/api'])) as Record<Service, string>;

/** The base URLs of the services, loaded at run time from `/config.json`. */
@Injectable({ providedIn: 'root' })
export class Endpoints {
  private readonly configuration = signal<Configuration>(SAME_ORIGIN);

  async load(): Promise<void> {
    const response = await fetch('config.json', { cache: 'no-store' });
    if (!response.ok) throw new Error(`config.json: ${response.status.toString()}`);
    this.configuration.set((await response.json()) as Configuration);
  }

  /** An absolute URL of *path* at a service. */
  url(service: Service, path: string): URL {
    return new URL(this.configuration()[service].replace(/\/$/, '') + path, document.baseURI);
  }

  /** How people sign in; null where nobody does. */
  get auth(): AuthConfiguration | null {
    return this.configuration().auth ?? null;
  }

  /** Whether *url* is one of a service: no other gets the access token. */
  isService(url: string): boolean {
    const configuration = this.configuration();
    const bases = SERVICES.flatMap((each) => [configuration[each], ...this.replicas(each)]);
    const asked = new URL(url, document.baseURI);
    return bases.some((each) => {
      const base = new URL(`${each.replace(/\/$/, '')}/`, document.baseURI);
      return asked.origin === base.origin && asked.pathname.startsWith(base.pathname);
    });
  }

  /** The base URLs of a service's replicas. */
  replicas(service: Service): readonly string[] {
    const configuration = this.configuration();
    return configuration.replicas?.[service] ?? [configuration[service]];
  }
}
