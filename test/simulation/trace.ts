/** Takes what happens in a schedule; the line is built only when somebody wants to read it. */
export type Trace = (line: () => string) => void;

export const noTrace: Trace = () => {};
