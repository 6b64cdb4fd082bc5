/** {@code ops}: what an operator looks at; the work is the module {@code ops}'s. */
package io.tiercel.tools.ops;
