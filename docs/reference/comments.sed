# SPDX-License-Identifier: MIT
# What Doxygen reads in place of a header: there the comments that open lines are documentation without saying so.
# No line is added or taken away.

# The head of a file, from below its licence to its first directive, is about the file.
1 { s,^// .*,//! @file,; s,^/\* .*,/** @file,; }
2 s,^/\* ,,
2,/^#/ s,^// ,//! ,

# In C, a block that opens a line is about what follows it, and one behind a field or a constant about that.
3,$ s,^/\* ,/** ,
3,$ s,^( .*[;0-9\,]) +/\* ,\1 /**< ,
