/** Topics of the event bus by which a run is confirmed. */
export const CONFIRM_TOPIC = 'tool.confirm';
export const CONFIRM_ANSWER_TOPIC = 'tool.confirm.answer';
