/** Commands on a journal, {@code replay verify} and {@code journal dump}, and the tokens in it. They only read. */
package io.tiercel.tools.journal;
