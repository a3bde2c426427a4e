// Angular warns in development of what it does in silence in production
// eslint-disable-next-line no-console -- it is what Angular calls
console.warn = (...said: readonly unknown[]): never => {
  throw new Error(`console.warn: ${said.join(' ')}`);
};
