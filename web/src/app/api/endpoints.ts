import { Injectable, signal } from '@angular/core';

export type Service = 'order' | 'inventory' | 'notification' | 'processing';

/** The configuration that the page's server provides. */
export interface Configuration {
  readonly order: string;
  readonly inventory: string;
  readonly notification: string;
  readonly processing: string;
  /** The base URLs of each replica that is reachable by itself; by default the service's own URL. */
  readonly replicas?: Partial<Record<Service, readonly string[]>>;
}

const SAME_ORIGIN: Configuration = { order: '/api', inventory: '/api', notification: '/api', processing: '/api' };

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

  /** The base URLs of a service's replicas. */
  replicas(service: Service): readonly string[] {
    const configuration = this.configuration();
    return configuration.replicas?.[service] ?? [configuration[service]];
  }
}
