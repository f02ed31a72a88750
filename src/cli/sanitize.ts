const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const CONTROL_AND_BREAKS = /[\u0000-\u001f\u007f-\u009f]/g;

/** One line of foreign text without what could steer a terminal or break a table. */
export function safeCell(text: string): string {
  return text.replace(CONTROL_AND_BREAKS, '');
}

/** Foreign text of several lines without what could steer a terminal. */
export function safeText(text: string): string {
  return text.replace(CONTROL, '');
}
