import { InjectionToken } from '@angular/core';

/** A window for the sign-in, while the page stays as it is. */
export interface SignInWindow {
  navigate(url: string): void;
  close(): void;
}

/** What the sign-in does with the browser. */
export interface Browser {
  /** The base URL of the page: the issuer redirects to it. */
  readonly base: string;
  /** Whether the browser allows the page to compute what a sign-in needs: over HTTPS, or from this machine. */
  readonly isSecure: boolean;
  /** The path and query of the shown page, relative to *base*. */
  here(): string;
  /** Takes the issuer's answer from the URL, which becomes *returnTo* of it; null when there is none. */
  takeAnswer(returnTo: (answer: URLSearchParams) => string): URLSearchParams | null;
  leaveFor(url: string): void;
  /** Null when the browser blocks it. */
  openWindow(): SignInWindow | null;
  closeThisWindow(): void;
}

const WINDOW_FEATURES = 'popup,width=520,height=720';

export const BROWSER = new InjectionToken<Browser>('BROWSER', { providedIn: 'root', factory: browser });

function browser(): Browser {
  const base = new URL('.', document.baseURI).href;
  return {
    base,
    isSecure: globalThis.isSecureContext,
    here: () => location.href.slice(base.length),
    takeAnswer: (returnTo) => {
      const answer = new URLSearchParams(location.search);
      if (!answer.has('state') || !(answer.has('code') || answer.has('error'))) return null;
      history.replaceState(null, '', new URL(returnTo(answer), base));
      return answer;
    },
    leaveFor: (url) => location.assign(url),
    openWindow: () => {
      // opened before any wait: a browser allows it only during a click
      const opened = window.open('', '_blank', WINDOW_FEATURES);
      return opened && { navigate: (url) => (opened.location.href = url), close: () => opened.close() };
    },
    closeThisWindow: () => window.close(),
  };
}
