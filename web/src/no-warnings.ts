// Angular warns in development of what it does in silence in production
console.warn = (...said: readonly unknown[]): never => {
  throw new Error(`console.warn: ${said.join(' ')}`);
};
