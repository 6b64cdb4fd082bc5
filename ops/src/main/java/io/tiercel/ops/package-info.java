/**
 * What an operator looks at: nothing yet, see the module's README. Reads counters, interval logs and journals from the
 * outside; nothing here is ever on the path of a request.
 */
package io.tiercel.ops;
