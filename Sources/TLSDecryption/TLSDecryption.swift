// TLSDecryption may hold:
