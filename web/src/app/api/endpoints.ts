import { Injectable, signal } from '@angular/core';
import { isRecord } from 'orderstream-client';

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

/** Where the page sends the spans of the orders that it places, and which share of them. */
export interface TracesConfiguration {
  /** Of a collector of OpenTelemetry, for OTLP over HTTP in JSON; it may be relative. */
  readonly url: string;
  /** 0 to 1. */
  readonly ratio: number;
}

/** The configuration that the page's server provides. */
export interface Configuration extends Readonly<Record<Service, string>> {
  /** The base URLs of each replica that is reachable by itself; by default the service's own URL. */
  readonly replicas?: Partial<Record<Service, readonly string[]>>;
  /** The folder of the services' log files, where they are on the same machine. */
  readonly logs?: string;
  /** Absent where nobody signs in. */
  readonly auth?: AuthConfiguration;
  /** Absent where the page begins no traces. */
  readonly traces?: TracesConfiguration;
  /** Whether the page's own server has the controls of the demo. */
  readonly demo?: boolean;
}

/** One origin for all services. */
export const SAME_ORIGIN = Object.fromEntries(SERVICES.map((each) => [each, '/api'])) as Record<Service, string>;

/** What every service has, by its name at one origin for all services, before that of the service. */
const OF_EVERY_SERVICE = {
  health: '/health/ready',
  metrics: '/metrics',
  openapi: '/openapi.json',
  'dead-letters': '/dead-letters',
};

type OfEveryService = keyof typeof OF_EVERY_SERVICE;

/** An absolute URL of what every service has; *base* is the service's own URL, or the path of one origin for all services. */
export function ofService(base: string, service: Service, what: OfEveryService, part = ''): string {
  const path = /^https?:/.test(base) ? OF_EVERY_SERVICE[what] : `/${what}/${service}`;
  return new URL(base.replace(/\/$/, '') + path + part, document.baseURI).href;
}

const DEMO = 'demo';

const LIMIT_MS = 10_000;

/** The base URLs of the services, loaded at run time from `/config.json`. */
@Injectable({ providedIn: 'root' })
export class Endpoints {
  private readonly configuration = signal<Configuration>(SAME_ORIGIN);
  private readonly current = signal<'loading' | 'loaded' | 'failed'>('loaded');
  private settle: () => void = () => undefined;
  private settling = Promise.resolve();

  /** Without a configuration nothing else works. */
  readonly state = this.current.asReadonly();

  /** Loads the configuration, or sets the state to failed; it may be called again then. */
  async load(): Promise<void> {
    if (this.current() === 'loaded') this.settling = new Promise((resolve) => (this.settle = resolve));
    this.current.set('loading');
    try {
      this.configuration.set(await read());
      this.current.set('loaded');
      this.settle();
    } catch {
      this.current.set('failed');
    }
  }

  /** Resolves when the configuration is loaded, however often that had failed. */
  loaded(): Promise<void> {
    return this.settling;
  }

  /** An absolute URL of *path* at a service. */
  url(service: Service, path: string): URL {
    return new URL(this.configuration()[service].replace(/\/$/, '') + path, document.baseURI);
  }

  /** An absolute URL of what every service has. */
  own(service: Service, what: OfEveryService, part = ''): string {
    return ofService(this.configuration()[service], service, what, part);
  }

  /** The folder of the services' log files. */
  get logs(): string {
    return this.configuration().logs ?? 'data/logs';
  }

  /** How people sign in; null where nobody does. */
  get auth(): AuthConfiguration | null {
    return this.configuration().auth ?? null;
  }

  /** Where spans are sent, by an absolute URL; null where the page begins no traces. */
  get traces(): TracesConfiguration | null {
    const { traces } = this.configuration();
    return traces === undefined ? null : { ...traces, url: new URL(traces.url, document.baseURI).href };
  }

  /** Whether the page's own server has the controls of the demo. */
  get demo(): boolean {
    return this.configuration().demo === true;
  }

  /** An absolute URL of a control of the demo. */
  demoUrl(control: string): URL {
    return new URL(`${DEMO}/${control}`, document.baseURI);
  }

  /** Whether *url* is one of a service or a control of the demo: no other gets the access token. */
  isService(url: string): boolean {
    const configuration = this.configuration();
    const ofServices = SERVICES.flatMap((each) => [configuration[each], ...this.replicas(each)]);
    const bases = this.demo ? [...ofServices, DEMO] : ofServices;
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

async function read(): Promise<Configuration> {
  // without a cache mode, as index.html has it loaded before there are scripts; its servers let nobody store it
  const response = await fetch('config.json', { signal: AbortSignal.timeout(LIMIT_MS) });
  const answer = response.ok ? ((await response.json()) as unknown) : null;
  if (!isConfiguration(answer)) throw new Error(`config.json: ${response.status.toString()}`);
  return answer;
}

function isConfiguration(value: unknown): value is Configuration {
  const services = ['order', 'inventory', 'notification', 'processing'];
  return isRecord(value) && services.every((each) => typeof value[each] === 'string');
}
