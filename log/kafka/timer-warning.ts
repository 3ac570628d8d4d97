/**
 * kafkajs sets timers with negative delays, of which Node warns (tulios/kafkajs#1751); they do what they should. That one
 * warning is dropped and no other.
 */
const emitWarning = process.emitWarning;
process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
  const [options] = rest;
  const type = typeof options === 'object' && options !== null ? (options as { type?: string }).type : options;
  if (type === 'TimeoutNegativeWarning') return;
  Reflect.apply(emitWarning, process, [warning, ...rest]);
};
