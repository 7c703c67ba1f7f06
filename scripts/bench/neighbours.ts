/** A mosquitto that queues without end, and has as much under way as the bridge takes. */
export const LARGE_WINDOW = ['max_queued_messages 0', 'max_inflight_messages 1000'];
/** A database where nobody listens. */
export const AWAY = '127.0.0.1:9/NONE';
