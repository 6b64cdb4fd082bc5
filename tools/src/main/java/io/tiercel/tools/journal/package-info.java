/** Commands on a journal: {@code replay verify} and {@code journal dump}. They only read. */
package io.tiercel.tools.journal;
