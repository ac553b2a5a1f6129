"""The parts of screens, one a file. They show what they are given; text from data is never read as markup."""
