// dlsym, in front of libc's. Whatever is not ours is passed on by a jump, not a call: libc's dlsym finds its caller
// by the return address and would answer RTLD_NEXT for us instead.
#if defined(__x86_64__)
	.text
	.globl dlsym
	.type dlsym, @function
dlsym:
	.cfi_startproc
	endbr64
	push %rdi
	.cfi_adjust_cfa_offset 8
	push %rsi
	.cfi_adjust_cfa_offset 8
	sub $8, %rsp
	.cfi_adjust_cfa_offset 8
	call vgpu_lookup
	add $8, %rsp
	.cfi_adjust_cfa_offset -8
	pop %rsi
	.cfi_adjust_cfa_offset -8
	pop %rdi
	.cfi_adjust_cfa_offset -8
	test %rax, %rax
	jz 1f
	cmp $-1, %rax
	jne 2f
	xor %eax, %eax
2:	ret
1:	jmp *vgpu_dlsym_pointer(%rip)
	.cfi_endproc
	.size dlsym, .-dlsym
#elif defined(__aarch64__)
	.text
	.globl dlsym
	.type dlsym, %function
dlsym:
	.cfi_startproc
	hint #34
	stp x29, x30, [sp, #-32]!
	.cfi_adjust_cfa_offset 32
	stp x0, x1, [sp, #16]
	mov x29, sp
	bl vgpu_lookup
	mov x2, x0
	ldp x0, x1, [sp, #16]
	ldp x29, x30, [sp], #32
	.cfi_adjust_cfa_offset -32
	cbz x2, 1f
	cmn x2, #1
	csel x0, xzr, x2, eq
	ret
1:	adrp x16, vgpu_dlsym_pointer
	ldr x16, [x16, #:lo12:vgpu_dlsym_pointer]
	br x16
	.cfi_endproc
	.size dlsym, .-dlsym
#else
#error "vgpu: x86-64 or arm64"
#endif
	.hidden vgpu_lookup
	.hidden vgpu_dlsym_pointer
	.section .note.GNU-stack, "", %progbits
