import { HttpClient } from '@angular/common/http';
import { NgTemplateOutlet } from '@angular/common';
import { ChangeDetectionStrategy, Component, inject, signal } from '@angular/core';
import { Observable, catchError, forkJoin, map, of } from 'rxjs';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';

import { Endpoints, SERVICES, Service } from '../api/endpoints';
import { Notice } from '../design/notice';
import { Skeleton } from '../design/skeleton';
import { texts } from '../texts';
import { AsyncApi, Entry, OpenApi, channelsOf, endpointsOf } from './documents';

/** One service that does not answer must not keep the others from being shown. */
const TIMEOUT_MS = 10_000;

interface Section {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** Where the document is, for programs. */
  readonly url: string;
  /** Null when it can't be read. */
  readonly entries: readonly Entry[] | null;
}

/** The interfaces: what each service answers over HTTP, and what goes over queues and streams. */
@Component({
  selector: 'app-docs-page',
  imports: [NgTemplateOutlet, Notice, Skeleton],
  templateUrl: './docs-page.html',
  styleUrl: './docs-page.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class DocsPage {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);
  protected readonly texts = texts.docs;
  protected readonly sections = signal<readonly Section[] | null>(null);

  constructor() {
    forkJoin([...SERVICES.map((each) => this.service(each)), this.messages()])
      .pipe(takeUntilDestroyed())
      .subscribe((sections) => {
        this.sections.set(sections);
      });
  }

  private service(name: Service): Observable<Section> {
    const at = this.endpoints.own(name, 'openapi');
    return this.section<OpenApi>(name, texts.common.services[name], at, (each) => endpointsOf(each, this.texts));
  }

  private messages(): Observable<Section> {
    return this.section<AsyncApi>('messages', this.texts.messages, 'asyncapi.json', channelsOf);
  }

  private section<T extends { info: { description: string } }>(
    id: string,
    title: string,
    at: string,
    entriesOf: (document: T) => readonly Entry[],
  ): Observable<Section> {
    const url = new URL(at, document.baseURI).href;
    return this.http.get<T>(url, { timeout: TIMEOUT_MS }).pipe(
      map((each) => ({ id, title, url, description: each.info.description, entries: entriesOf(each) })),
      catchError(() => of({ id, title, url, description: '', entries: null })),
    );
  }
}
