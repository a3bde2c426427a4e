import { Injectable, signal } from '@angular/core';

export type Service = 'order' | 'inventory' | 'notification' | 'processing';

/** What the server of this page says about where the services are. */
export interface Configuration {
  readonly order: string;
  readonly inventory: string;
  readonly notification: string;
  readonly processing: string;
  /** The base URLs of every replica that can be reached one by one; a service that is left out has one, its own. */
  readonly replicas?: Partial<Record<Service, readonly string[]>>;
}

const BEHIND_ONE_ORIGIN: Configuration = { order: '/api', inventory: '/api', notification: '/api', processing: '/api' };

/** Where the services are, told at run time by `/config.json`. */
@Injectable({ providedIn: 'root' })
export class Endpoints {
  private readonly configuration = signal<Configuration>(BEHIND_ONE_ORIGIN);

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
